"""Generation with vLLM, on GPUs or with its CPU build.

Greedy completions equal those of transformers.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import vllm
from transformers import AutoConfig, AutoTokenizer
from vllm import LLM, RequestOutput, SamplingParams
from vllm.sampling_params import RequestOutputKind

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.base import (
    Completion,
    Likelihood,
    OneGroup,
    Request,
    RequestGroup,
    TeacherForced,
    decode_plain,
    end_ids,
    finish,
    longest_first,
    room_for,
    scored_ids,
    until_end,
    usable_context,
)
from scripts.evaluate.generations import Sampling
from scripts.lib.custom_code import is_trusted
from scripts.lib.prompts import Example, PromptSettings, encode_example, prompt_ids
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.token_text import ContinuationDecoder
from scripts.lib.weights import check_weights

_CACHE_BYTES = 1 << 30


class VllmEngine(OneGroup):
    """A model loaded by vLLM; see `engines.base.Engine`.

    vLLM knows stop sequences only. A completion that ends with its block is cut after generation.
    """

    name = "vllm"

    def __init__(self, folder: str, dtype: str, context: int | None = None) -> None:
        """Load the model of a folder.

        context: the longest text, in tokens, for a model whose configuration has no limit.

        Raises `InputError` for damaged weights or an unknown context.
        """
        check_weights(folder)
        self.version = f"{vllm.__version__}, {dtype}"
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
        # vLLM's own limit would be a multiple of the model's where its positions are scaled.
        self.context = usable_context(config, context, folder)
        self.model = LLM(model=folder, dtype=dtype, seed=0, max_model_len=self.context, **options)

    def _run(
        self, tokens: Sequence[list[int]], settings: Sequence[SamplingParams]
    ) -> Iterator[tuple[int, RequestOutput]]:
        """Yield the index and the output of each prompt once it is finished; all are given to vLLM at
        once, which starts them in their order.
        """
        engine = self.model.llm_engine
        for index, (ids, params) in enumerate(zip(tokens, settings, strict=True)):
            engine.add_request(str(index), {"prompt_token_ids": ids}, params)
        while engine.has_unfinished_requests():
            for output in engine.step():
                if output.finished:
                    yield int(output.request_id), output

    def complete_groups(self, groups: Sequence[RequestGroup]) -> Iterator[tuple[int, list[Completion]]]:
        """See `engines.base.Engine`."""
        tokens = [[prompt_ids(self.tokenizer, request.prompt) for request in group.requests] for group in groups]
        results = [[Completion("", FinishReason.OVERFLOW)] * len(group.requests) for group in groups]
        started = [
            (group, request)
            for group in longest_first(tokens)
            for request in longest_first([[ids] for ids in tokens[group]])
            if self._room(tokens[group][request], groups[group].sampling) > 0
        ]
        unfinished = Counter(group for group, _ in started)
        yield from ((index, results[index]) for index in range(len(groups)) if not unfinished[index])
        prompts = [tokens[group][request] for group, request in started]
        settings = [self._settings(groups[group], request, tokens[group][request]) for group, request in started]
        for index, output in self._run(prompts, settings):
            group, request = started[index]
            results[group][request] = self._completion(output.outputs[0], groups[group].requests[request])
            unfinished[group] -= 1
            if not unfinished[group]:
                yield group, results[group]

    def _room(self, prompt: Sequence[int], sampling: Sampling) -> int:
        """Number of new tokens that fit after a prompt."""
        return room_for(len(prompt), sampling.new_tokens, self.context)

    def _settings(self, group: RequestGroup, request: int, prompt: Sequence[int]) -> SamplingParams:
        """vLLM's settings for a request of a group."""
        sampling = group.sampling
        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p if sampling.temperature else 1.0,
            seed=group.requests[request].seed,
            max_tokens=self._room(prompt, sampling),
            stop=list(group.requests[request].stop.sequences),
            stop_token_ids=self.ends,
            include_stop_str_in_output=True,
            skip_special_tokens=False,
            spaces_between_special_tokens=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _completion(self, output: vllm.CompletionOutput, request: Request) -> Completion:
        """One output as a completion.

        The text is decoded from the tokens before the end of text, because vLLM's text lacks a
        character whose last bytes are missing.
        """
        text_tokens, ended = until_end(output.token_ids, self.ends)
        return finish(self.decode(text_tokens), request.stop, ended)

    def likelihoods(self, texts: Sequence[tuple[str, str]]) -> list[Likelihood | None]:
        """See `engines.base.Engine`.

        vLLM generates at least one token, which needs room; it is ignored.
        """
        scored = [scored_ids(self.tokenizer, prompt, text, self.context - 1) for prompt, text in texts]
        rows = {index: row for index, row in enumerate(scored) if row is not None}
        settings = SamplingParams(
            temperature=0.0, max_tokens=1, prompt_logprobs=1, output_kind=RequestOutputKind.FINAL_ONLY
        )
        outputs = dict(self._run([[*prompt, *own] for prompt, own in rows.values()], [settings] * len(rows)))
        results: list[Likelihood | None] = [None] * len(texts)
        for number, (index, (_, own)) in enumerate(rows.items()):
            chances = zip(own, outputs[number].prompt_logprobs[-len(own) :], strict=True)
            results[index] = Likelihood(-sum(entry[token].logprob for token, entry in chances), len(own))
        return results

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """See `engines.base.Engine`."""
        examples = [encode_example(self.tokenizer, prompts, problem.row, problem.target) for problem in problems]
        # vLLM generates at least one token, which needs room; it is ignored. The predictions are
        # the most likely tokens of the prompt.
        settings = SamplingParams(
            temperature=0.0, max_tokens=1, prompt_logprobs=1, output_kind=RequestOutputKind.FINAL_ONLY
        )
        texts = [example.input_ids[: self.context - 1] for example in examples]
        outputs = dict(self._run(texts, [settings] * len(texts)))
        return [self._forced(outputs[index], example) for index, example in enumerate(examples)]

    def _forced(self, output: RequestOutput, example: Example) -> TeacherForced:
        """The most likely token at each position of the message."""
        likeliest = [
            next(token for token, chance in entry.items() if chance.rank == 1)
            for entry in output.prompt_logprobs[example.masked :]
        ]
        return TeacherForced(
            prediction=decode_plain(self.tokenizer, likeliest),
            message=decode_plain(self.tokenizer, example.input_ids[example.masked :]),
        )
