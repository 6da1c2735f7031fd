"""Generation with vLLM, on GPUs or with its CPU build: the same interface as transformers', the same greedy texts."""

from collections.abc import Sequence

import torch
import vllm
from transformers import AutoConfig, AutoTokenizer
from vllm import LLM, SamplingParams

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.base import (
    Completion,
    Request,
    TeacherForced,
    end_ids,
    finished,
    room_for,
    until_end,
    usable_context,
)
from scripts.evaluate.generations import Sampling
from scripts.lib.context import context_limit
from scripts.lib.prompts import Example, PromptSettings, encode_example, prompt_ids
from scripts.lib.token_text import ContinuationDecoder
from scripts.lib.weights import check_weights

_CACHE_BYTES = 1 << 30


class VllmEngine:
    """A model folder, loaded; see `engine.Engine`.

    Where a completion ends with its function's brace, vLLM cannot know; it is cut afterwards.
    """

    name = "vllm"
    version = vllm.__version__

    def __init__(self, folder: str, dtype: str, context: int | None = None) -> None:
        """`context` is the longest text, in tokens, for a model whose configuration names none."""
        check_weights(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.decode, self.ends = ContinuationDecoder(self.tokenizer), end_ids(folder, self.tokenizer)
        config = AutoConfig.from_pretrained(folder).to_dict()
        # Compiling the model pays on GPUs only. Without a bound on the cache of keys and values, vLLM takes nearly all
        # memory there is; of a GPU it may.
        on_cpu = {} if torch.cuda.is_available() else {"enforce_eager": True, "kv_cache_memory_bytes": _CACHE_BYTES}
        # "vllm" leaves the model's generation_config.json unread: how texts are drawn is the sampling plan's to say.
        options = {"generation_config": "vllm", **on_cpu}
        if context_limit(config) is None:
            options["max_model_len"] = usable_context(config, context, folder)
        self.model = LLM(model=folder, dtype=dtype, seed=0, **options)
        self.context = self.model.llm_engine.model_config.max_model_len

    def _run(self, tokens: Sequence[list[int]], settings: list[SamplingParams]) -> list[vllm.RequestOutput]:
        prompts = [{"prompt_token_ids": ids} for ids in tokens]
        return self.model.generate(prompts, settings, use_tqdm=False)

    def complete(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The completion of each request, in their order."""
        tokens = [prompt_ids(self.tokenizer, request.prompt) for request in requests]
        rooms = [room_for(len(ids), sampling.new_tokens, self.context) for ids in tokens]
        places = [place for place, room in enumerate(rooms) if room > 0]
        settings = [
            SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p if sampling.temperature else 1.0,
                seed=requests[place].seed,
                max_tokens=rooms[place],
                stop=list(requests[place].stop.words),
                stop_token_ids=self.ends,
                include_stop_str_in_output=True,
                skip_special_tokens=False,
                spaces_between_special_tokens=False,
            )
            for place in places
        ]
        results = [Completion("", "overflow")] * len(requests)
        outputs = self._run([tokens[place] for place in places], settings)
        for place, output in zip(places, outputs, strict=True):
            results[place] = self._finished(output.outputs[0], requests[place])
        return results

    def _finished(self, output: vllm.CompletionOutput, request: Request) -> Completion:
        """One output as a completion; the end of text is a token, which is no part of the text.

        The text is decoded from the tokens, because vLLM's own lacks a character whose last bytes are missing.
        """
        own, ended = until_end(output.token_ids, self.ends)
        return finished(self.decode(own), request.stop, ended)

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """See `engine.Engine`."""
        examples = [encode_example(self.tokenizer, prompts, problem.row, problem.target) for problem in problems]
        # One token must be generated, and so be left room for; what counts are the likeliest tokens of the prompt.
        settings = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=1)
        kept = [example.input_ids[: self.context - 1] for example in examples]
        outputs = self._run(kept, [settings] * len(kept))
        return [self._forced(output, example) for output, example in zip(outputs, examples, strict=True)]

    def _forced(self, output: vllm.RequestOutput, example: Example) -> TeacherForced:
        """The likeliest token at each place of the message; the entry of a place is about the token at that place."""
        likeliest = [
            next(token for token, chance in entry.items() if chance.rank == 1)
            for entry in output.prompt_logprobs[example.masked :]
        ]
        plain = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return TeacherForced(
            prediction=self.tokenizer.decode(likeliest, **plain),
            message=self.tokenizer.decode(example.input_ids[example.masked :], **plain),
        )
