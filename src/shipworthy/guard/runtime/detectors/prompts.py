"""Instructions that are meant to take a language model over: a small linear model over what words stand for.

Words are read as the concepts that they stand for (to set aside, earlier, rules, to reveal, …); the features are
concepts and pairs of them that stand close together. The weights are in `prompts.json`, made by
`scripts/make_prompt_model.py` from data of our own.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from math import exp

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ""
THRESHOLD = 0.7
_NEAR = 6  # words
_WORDS = 700  # of a text's beginning; as many of its end
_WORD = regex(r"[^\W_]+(?:['’][^\W_]+)?|[<\[|#]{1,3}")
_CONCEPTS = """
aside: ignore disregard forget bypass override overlook neglect discard dismiss skip circumvent abandon drop
  erase suspend disable deactivate unlock remove lift cancel void ignora ignorez ignoriere vergiss olvida
  oublie oubliez dimentica ignorar umgehe contourne elude desconsidere esqueça negeer ignore-t omzeil
earlier: previous prior above earlier preceding before former original initial first existing initially
  beforehand previously anteriores anterior précédentes précédent vorherigen vorherige bisherigen precedenti
  prévias vorige initiales
rules: instructions instruction rules rule guidelines guideline guardrails directives directive policies
  policy constraints constraint restrictions restriction limitations filters filter safeguards safety
  protocols protocol orders commands programming boundaries ethics ethical moderation censorship instrucciones
  anweisungen anweisung regeln istruzioni instruções règles reglas consignes richtlijnen regels
reveal: reveal print show display output repeat leak expose disclose dump divulge share recite tell echo
  unveil muestra revela montre révèle zeige verrate offenlegen rivela mostra enthülle
hidden: system hidden secret confidential internal developer initial underlying private concealed secreto
  caché geheime versteckten nascosto sistema
prompt: prompt prompts preprompt context configuration invite aufforderung eingabeaufforderung indicación
  richiesta
mode: jailbreak jailbroken dan unrestricted unfiltered uncensored unlimited unbound freed amoral unethical
  evil godmode sudo root admin administrator superuser maintenance debug override_mode
act: pretend act roleplay simulate imagine become impersonate behave emulate transform
now: now henceforth onwards forward instead immediately today ahora jetzt maintenant adesso agora nu
you: you your yourself you're tu tus tes vos ton du dein deine deinen deiner ihre tuo tue suas seu je jouw
all: all any every everything each anything todas toutes alle tutte tutti todos toda
new: new updated different real true actual nueva neue nouvelles nuove novas
without: without no never not nothing stop cannot don't sin ohne sans senza sem
harm: malware bomb weapon weapons explosive explosives drugs meth hack virus ransomware phishing poison
  keylogger exploit steal illegal counterfeit
talk: explain describe summarise summarize translate article book history discuss compare define meaning
  example write essay
code: file files linter git docker config server function test tests warning warnings errors error compiler
  css python
ask: what how why which when where who does is are can could should
obey: obey comply follow adhere answer respond reply do execute say
model: ai assistant model chatbot language llm gpt chatgpt bot claude openai anthropic
send: send forward email upload post transmit exfiltrate append
authority: administrator engineer openai anthropic authorized authorised permission developer owner ceo
  emergency urgent
mark: <| |> ### <<< >>> [[ ]] inst endoftext im_start im_end begin end
"""  # a concept, and the words that stand for it
_OF = {
    word: entry.partition(":")[0]
    for entry in _CONCEPTS.strip().replace("\n  ", " ").split("\n")
    for word in entry.partition(":")[2].split()
}
_MARKS = (
    "<|im_start|>", "<|im_end|>", "[inst]", "<<sys>>", "</system>", "<system>", "### system", "### instruction",
    "<|system|>", "[system]", "system prompt:", "begin_of_text", "<|endoftext|>", "![", "end of prompt",
    "do anything now",
)  # fmt: skip


def features(text: str) -> dict[str, float]:
    """What the model sees of a text: concepts, pairs of them in their order, marks of chat formats; 1.0 for each."""
    low = text.lower()
    words = [found[0] for found in _WORD.finditer(low)]
    if len(words) > 2 * _WORDS:
        words = words[:_WORDS] + words[-_WORDS:]
    placed = [(at, concept) for at, word in enumerate(words) if (concept := _OF.get(word) or _OF.get(word.rstrip("s")))]
    found: dict[str, float] = {}
    for index, (at, concept) in enumerate(placed):
        found[concept] = 1.0
        if at == 0 or words[at - 1] in ("please", "and", "then", "now", "to"):
            found[f"^{concept}"] = 1.0
        for other_at, other in placed[index + 1 : index + 1 + _NEAR]:
            if other_at - at > _NEAR:
                break
            found[f"{concept}>{other}"] = 1.0
    for mark in _MARKS:
        if mark in low:
            found["chat-format"] = 1.0
            break
    return found


@cache
def _weights() -> tuple[float, dict[str, float]]:
    value = json.loads(files(__package__).joinpath("prompts.json").read_text("utf-8"))
    return float(value["bias"]), {name: float(weight) for name, weight in value["weights"].items()}


def score(text: str) -> float:
    """How much the text is like an attempt to take the model over, from 0 to 1."""
    bias, weights = _weights()
    total = bias + sum(weights.get(name, 0.0) * value for name, value in features(text).items())
    return 1 / (1 + exp(-max(min(total, 50.0), -50.0)))


def look(text: Text) -> str:
    """That it is one; empty when it is not."""
    if text.place in ("key", "path", "header") or len(text.raw) < 12:
        return ""
    return "instructions to the model" if score(text.raw) >= THRESHOLD else ""
