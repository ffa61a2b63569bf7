// Runs one scenario with the real @ag-ui/client and prints what it saw as JSON; anything that it complains of is in there.
import { HttpAgent, runHttpRequest, transformHttpEventStream } from "@ag-ui/client";
import { createInterface } from "node:readline";

const { url, headers, threadId, prompts = [], runId, attach = false, warm = [] } = JSON.parse(process.argv[2]);
const complaints = [];
console.warn = (...words) => complaints.push(words.map(String).join(" "));
console.error = console.warn;

class Viewer extends HttpAgent {
  connect() {
    const request = () => fetch(`${url}/events?attach=true`, { headers: { ...headers, Accept: "text/event-stream" } });
    return transformHttpEventStream(runHttpRequest(request));
  }
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const agent = new Viewer({ url: `${url}/run`, headers, threadId, initialMessages: warm });
const subscriber = { onEvent: ({ event }) => say({ event }) };

async function attempt(act) {
  try {
    await act();
    return null;
  } catch (fault) {
    return { status: fault.status ?? null, message: String(fault.message), payload: fault.payload ?? null };
  }
}

// A line on standard input ends the viewing, as closing a tab does.
createInterface({ input: process.stdin }).once("line", () => agent.abortRun());

const errors = [];
if (attach) errors.push(await attempt(() => agent.connectAgent({}, subscriber)));
for (const [number, content] of prompts.entries()) {
  agent.addMessage({ id: `${runId ?? process.pid}-${number}`, role: "user", content });
  errors.push(await attempt(() => agent.runAgent(runId ? { runId } : {}, subscriber)));
}
say({ done: { messages: agent.messages, errors: errors.filter(Boolean), complaints } });
process.exit(0);
