"""Calling tools: how they are told to a model, how its calls are read, and how they are held to their schemas.

The notation is that of Hermes (https://github.com/NousResearch/Hermes-Function-Calling), which many open models were
taught: tools stand as JSON in the system message, a call is <tool_call>{"name": ..., "arguments": {...}}</tool_call>, a
result <tool_response>...</tool_response>. Where a call is wanted whatever happens (`required`, or one tool by name),
the answer is confined to the call's JSON, so that it always fits the schema.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from clearsight.decoding.structure import Structure, StructureError
from clearsight.server.chat.requests import Function, NamedTool, Tool, ToolChoice
from clearsight.server.errors import ApiError

OPENING, CLOSING = "<tool_call>", "</tool_call>"


@dataclass(frozen=True)
class Call:
    """One call: what the client is to run, with arguments as JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Tools:
    """The tools of a request and what is to be done with them."""

    functions: tuple[Function, ...] = ()
    forced: bool = False
    """Whether the answer has to be a call."""

    @classmethod
    def of(cls, tools: list[Tool] | None, choice: ToolChoice | None) -> "Tools":
        """Raises ApiError for a choice that no tool answers to."""
        functions = tuple(tool.function for tool in tools or ())
        names = [function.name for function in functions]
        if len(set(names)) != len(names):
            raise ApiError(400, "Two tools have the same name.", param="tools", code="invalid_value")
        if isinstance(choice, NamedTool):
            chosen = tuple(one for one in functions if one.name == choice.function.name)
            if not chosen:
                raise ApiError(400, "tool_choice names a tool that tools does not hold.", param="tool_choice")
            return cls(chosen, forced=True)
        if choice == "required" and not functions:
            raise ApiError(400, "tool_choice is required, but there are no tools.", param="tool_choice")
        if choice == "none":
            return cls()
        return cls(functions, forced=choice == "required")

    def __bool__(self) -> bool:
        return bool(self.functions)

    @property
    def instruction(self) -> str:
        """What is put before the system message."""
        told = "\n".join(
            json.dumps(
                {
                    "name": one.name,
                    "description": one.description or "",
                    "parameters": one.parameters or {"type": "object", "properties": {}},
                },
                ensure_ascii=False,
            )
            for one in self.functions
        )
        return (
            f"You can call these functions:\n<tools>\n{told}\n</tools>\n"
            f'To call one, answer {OPENING}{{"name": "...", "arguments": {{...}}}}{CLOSING} and nothing else.'
        )

    @property
    def structure(self) -> Structure:
        """JSON of one call, for an answer that has to be one. Raises ApiError for parameters that are too large."""
        calls = [
            {
                "type": "object",
                "properties": {
                    "name": {"const": one.name},
                    "arguments": one.parameters or {"type": "object", "properties": {}},
                },
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for one in self.functions
        ]
        try:
            return Structure.json_schema(calls[0] if len(calls) == 1 else {"anyOf": calls})
        except StructureError as error:
            raise ApiError(
                400, "The tools can't be used: their parameters are too large.", param="tools"
            ) from error

    def read(self, text: str) -> Call | None:
        """The call that a text is; None for one that is none."""
        text = text.strip()
        if not self.forced:
            if not text.startswith(OPENING):
                return None
            text = text.removeprefix(OPENING).removesuffix(CLOSING).strip()
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or value.get("name") not in [one.name for one in self.functions]:
            return None
        arguments = json.dumps(value.get("arguments", {}), ensure_ascii=False)
        return Call(f"call_{secrets.token_hex(12)}", value["name"], arguments)

    def may_become_call(self, text: str) -> bool:
        """Whether a text that began like this can still be a call, and is to be held back."""
        start = text.lstrip()
        return self.forced or OPENING.startswith(start[: len(OPENING)])


def called(name: str, arguments: str) -> str:
    """A call of an earlier turn as the model wrote it."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = arguments
    return f"{OPENING}{json.dumps({'name': name, 'arguments': value}, ensure_ascii=False)}{CLOSING}"


def result(content: str) -> str:
    """A tool's result as the model reads it."""
    return f"<tool_response>\n{content}\n</tool_response>"
