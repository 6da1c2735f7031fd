"""Generation with vLLM, on GPUs or with its CPU build.

Greedy completions equal those of transformers.
"""

from collections.abc import Sequence
from typing import Any

import torch
import vllm
from transformers import AutoConfig, AutoTokenizer
from vllm import LLM, SamplingParams

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.base import (
    Completion,
    Request,
    TeacherForced,
    decode_plain,
    end_ids,
    finish,
    room_for,
    until_end,
    usable_context,
)
from scripts.evaluate.generations import Sampling
from scripts.lib.context import context_limit
from scripts.lib.custom_code import is_trusted
from scripts.lib.prompts import Example, PromptSettings, encode_example, prompt_ids
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.token_text import ContinuationDecoder
from scripts.lib.weights import check_weights

_CACHE_BYTES = 1 << 30


class VllmEngine:
    """A model loaded by vLLM; see `engines.base.Engine`.

    vLLM knows stop sequences only. A completion that ends with its block is cut after generation.
    """

    name = "vllm"
    version = vllm.__version__

    def __init__(self, folder: str, dtype: str, context: int | None = None) -> None:
        """Load the model of a folder.

        context: the longest text, in tokens, for a model whose configuration has no limit.

        Raises `InputError` for damaged weights or an unknown context.
        """
        check_weights(folder)
        trusted = is_trusted(folder)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=trusted)
        self.decode, self.ends = ContinuationDecoder(self.tokenizer), end_ids(folder, self.tokenizer)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trusted).to_dict()
        # Compiling the model saves time on GPUs only. Without a limit on the cache of keys and
        # values vLLM takes nearly all memory, which is acceptable on a GPU only.
        on_cpu = {} if torch.cuda.is_available() else {"enforce_eager": True, "kv_cache_memory_bytes": _CACHE_BYTES}
        # With "vllm", the model's generation_config.json is not read: the sampling plan decides how
        # completions are drawn.
        options: dict[str, Any] = {"generation_config": "vllm", "trust_remote_code": trusted, **on_cpu}
        if context_limit(config) is None:
            options["max_model_len"] = usable_context(config, context, folder)
        self.model = LLM(model=folder, dtype=dtype, seed=0, **options)
        self.context = self.model.llm_engine.model_config.max_model_len

    def _run(self, tokens: Sequence[list[int]], settings: list[SamplingParams]) -> list[vllm.RequestOutput]:
        prompts = [{"prompt_token_ids": ids} for ids in tokens]
        return self.model.generate(prompts, settings, use_tqdm=False)

    def complete(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See `engines.base.Engine`."""
        tokens = [prompt_ids(self.tokenizer, request.prompt) for request in requests]
        rooms = [room_for(len(ids), sampling.new_tokens, self.context) for ids in tokens]
        indices = [index for index, room in enumerate(rooms) if room > 0]
        settings = [
            SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p if sampling.temperature else 1.0,
                seed=requests[index].seed,
                max_tokens=rooms[index],
                stop=list(requests[index].stop.sequences),
                stop_token_ids=self.ends,
                include_stop_str_in_output=True,
                skip_special_tokens=False,
                spaces_between_special_tokens=False,
            )
            for index in indices
        ]
        results = [Completion("", FinishReason.OVERFLOW)] * len(requests)
        outputs = self._run([tokens[index] for index in indices], settings)
        for index, output in zip(indices, outputs, strict=True):
            results[index] = self._completion(output.outputs[0], requests[index])
        return results

    def _completion(self, output: vllm.CompletionOutput, request: Request) -> Completion:
        """One output as a completion.

        The text is decoded from the tokens before the end of text, because vLLM's text lacks a
        character whose last bytes are missing.
        """
        text_tokens, ended = until_end(output.token_ids, self.ends)
        return finish(self.decode(text_tokens), request.stop, ended)

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """See `engines.base.Engine`."""
        examples = [encode_example(self.tokenizer, prompts, problem.row, problem.target) for problem in problems]
        # vLLM generates at least one token, which needs room; it is ignored. The predictions are
        # the most likely tokens of the prompt.
        settings = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=1)
        texts = [example.input_ids[: self.context - 1] for example in examples]
        outputs = self._run(texts, [settings] * len(texts))
        return [self._forced(output, example) for output, example in zip(outputs, examples, strict=True)]

    def _forced(self, output: vllm.RequestOutput, example: Example) -> TeacherForced:
        """The most likely token at each position of the message."""
        likeliest = [
            next(token for token, chance in entry.items() if chance.rank == 1)
            for entry in output.prompt_logprobs[example.masked :]
        ]
        return TeacherForced(
            prediction=decode_plain(self.tokenizer, likeliest),
            message=decode_plain(self.tokenizer, example.input_ids[example.masked :]),
        )
