"""Which model answers: by the keys that are there; the offline one when there is none."""

from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from ambient_runner import offline
from ambient_runner.config import RunnerConfig
from ambient_runner.workspace import Workspace


def model_of(config: RunnerConfig, workspace: Workspace) -> Model:
    """Choose the model: a compatible server where its address is given, else by key and name, else offline."""
    claude = bool(config.anthropic_api_key) and (config.model.startswith("claude") or not config.openai_api_key)
    if config.openai_base_url or (config.openai_api_key and not claude):
        # Providers are heavy: importing one costs more than the rest of the start, so only the chosen one is.
        from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

        provider = OpenAIProvider(base_url=config.openai_base_url or None, api_key=config.openai_api_key or "none")
        return OpenAIChatModel(config.model, provider=provider)
    if claude:
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

        return AnthropicModel(config.model, provider=AnthropicProvider(api_key=config.anthropic_api_key))
    return offline.OfflineModel(workspace).model()


def settings_of(config: RunnerConfig) -> ModelSettings:
    """Temperature and length of answers."""
    return ModelSettings(temperature=config.temperature, max_tokens=config.max_tokens)
