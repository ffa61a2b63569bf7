// A real OpenID provider on the loopback: people with groups, a machine, keys that rotate, and outages.
// It prints its address, then does what each line of its input says and answers DONE, with a number for "renewals".
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const people = {
  ada: { name: 'Ada Lovelace', email: 'ada@example.com', preferred_username: 'ada', groups: ['ops', 'dev'] },
  ben: { name: 'Ben', email: 'ben@example.com', preferred_username: 'ben', groups: ['dev'] },
};
const keys = [];
let provider;
let down = false;
let renewals = 0;
let lifetime = 600;

const server = createServer((request, response) => {
  if (down) {
    request.socket.destroy();
    return;
  }
  provider.callback()(request, response);
});

function rotate(url) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  keys.unshift({ ...privateKey.export({ format: 'jwk' }), kid: `key-${keys.length + 1}`, use: 'sig', alg: 'RS256' });
  provider = new Provider(url, {
    jwks: { keys },
    clients: [
      {
        client_id: 'cli', token_endpoint_auth_method: 'none', application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
      {
        client_id: 'robot', client_secret: 'secret-of-the-robot', grant_types: ['client_credentials'],
        redirect_uris: [], response_types: [],
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
    findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
    extraTokenClaims: (context, token) => people[token.accountId],
    cookies: { keys: ['a key for the cookies of a test'] },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://ambient.example.com/api',
        getResourceServerInfo: () => ({
          scope: 'use', audience: 'ambient', accessTokenFormat: 'jwt', accessTokenTTL: lifetime, jwt: { sign: { alg: 'RS256' } },
        }),
        useGrantedResource: () => true,
      },
    },
  });
  provider.on('grant.success', (context) => { renewals += context.oidc.params.grant_type === 'refresh_token' ? 1 : 0; });
  provider.on('server_error', (context, error) => process.stderr.write(`${error.stack}\n`));
}

server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  rotate(url);
  process.stdout.write(`READY ${url}\n`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'rotate') rotate(url);
    if (line.startsWith('lifetime ')) lifetime = Number(line.split(' ')[1]);
    if (line === 'forget') keys.splice(1);
    if (line === 'down' || line === 'up') down = line === 'down';
    process.stdout.write(line === 'renewals' ? `DONE ${renewals}\n` : 'DONE\n');
  }).on('close', () => process.exit(0));
});
