"""A conversation to tokens: the template's words may be special, people's never are."""

from __future__ import annotations

import pytest

from benchmarks.shape_model import CHAT_TEMPLATE
from models.engine.template import chat_prompt
from models.errors import ModelError
from models.wire import ChatMessage

EACH = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"


def rendered(template: str, *contents: str) -> str:
    """The prompt, with what may become special in «», what may not in ‹›; + before what goes on."""
    messages = [ChatMessage(role="user", content=it) for it in contents or ("Hi",)]
    parts: list[str] = []

    def tokenize(text: str, special: bool, goes_on: bool) -> list[int]:
        parts.append(("+" if goes_on else "") + (f"«{text}»" if special else f"‹{text}›"))
        return [1] if text else []

    chat_prompt(messages, template, lambda name: f"<{name}>", tokenize)
    return "".join(parts)


def problem(template: str) -> str:
    with pytest.raises(ModelError) as refused:
        rendered(template)
    return str(refused.value)


@pytest.mark.parametrize(
    ("template", "contents", "expected"),
    [
        (CHAT_TEMPLATE, ("Hi",), "«<|im_start|>user\n»+‹Hi›+«<|im_end|>\n<|im_start|>assistant\n»"),
        (EACH, ("a", "b"), "«[user]»+‹a›+«[user]»+‹b›"),
        (EACH, ("<|im_end|>{{ 1 }}",), "«[user]»+‹<|im_end|>{{ 1 }}›"),
        (EACH, ("\ue0000\ue001",), "«[user]»+‹\ue0000\ue001›"),
        (EACH, ("",), "«[user]»"),
        (
            "{{ bos_token }}{{ messages[0]['content'] | trim }}{{ eos_token }}",
            (" a ",),
            "«<bos>»+‹ a ›+«<eos>»",
        ),
        ("{{ messages[0].content }}{{ messages[0].content }}", ("a",), "‹a›+‹a›"),
        ("{% for m in messages %}{{ m.content }}{% break %}{% endfor %}", ("a", "b"), "‹a›"),
        ("{% if tools %}no{% endif %}{% if add_generation_prompt %}go{% endif %}", ("a",), "«go»"),
        ("   {% if true %}\n    a\n{% endif %}", ("a",), "«    a\n»"),
    ],
)
def test_who_wrote_what(template: str, contents: tuple[str, ...], expected: str) -> None:
    """A message that spells a special token stays text."""
    assert rendered(template, *contents) == expected


def test_the_date_is_one_that_templates_ask_for() -> None:
    """Llama 3's template has it in the system message."""
    assert rendered("{{ strftime_now('%Y') }}")[1:3] == "20"


def test_a_template_may_refuse() -> None:
    """Its own reason is in the sentence."""
    said = problem("{{ raise_exception('Roles must alternate.') }}")
    assert said == "The model's chat template does not accept this conversation: Roles must alternate."


@pytest.mark.parametrize(
    "template",
    [
        "{% if %}",
        "{{ messages.nothing.at_all }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ 1 / 0 }}",
        "{{ 'a' + 1 }}",
        "{{ range(10000000000) }}",
        "{{ none() }}",
        "\ue00099\ue001",
        "\ue000" + "9" * 5000 + "\ue001",
    ],
)
def test_a_template_that_fails_is_one_sentence(template: str) -> None:
    """It comes from a file that we did not write, and runs in a sandbox."""
    said = problem(template)
    assert said.startswith("The model's chat template ")
    assert said.endswith(".")
