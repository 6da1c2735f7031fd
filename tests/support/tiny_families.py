"""A small random model of each architecture of the base models, and of others that users may have."""

from scripts.lib.training.models import make_model
from tests.support.tiny_tokenizer import tiny_tokenizer

CONTEXT = 64
_HIDDEN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": CONTEXT}
_LLAMA = {**_HIDDEN, "intermediate_size": 64, "num_key_value_heads": 2}
_GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT}
_NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}

# StarCoderBase is gpt_bigcode; DeepSeek-Coder, Code Llama and SmolLM2 are llama, one of them with one key-value head.
FAMILIES: dict[str, dict[str, object]] = {
    "gpt_bigcode": {"model_type": "gpt_bigcode", **_GPT, **_NO_DROPOUT},
    "llama": {"model_type": "llama", **_LLAMA},
    "llama with one key-value head": {"model_type": "llama", **_LLAMA, "num_key_value_heads": 1},
    "codegen": {"model_type": "codegen", **_GPT, **_NO_DROPOUT, "rotary_dim": 4},
    "gpt2": {"model_type": "gpt2", **_GPT, **_NO_DROPOUT},
    "gpt_neox": {"model_type": "gpt_neox", **_HIDDEN, "intermediate_size": 64},
    "qwen2": {"model_type": "qwen2", **_LLAMA},
    "mistral": {"model_type": "mistral", **_LLAMA},
    "starcoder2": {"model_type": "starcoder2", **_LLAMA, "embedding_dropout": 0.0},
    "bloom": {"model_type": "bloom", "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "mpt": {"model_type": "mpt", "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": CONTEXT},
}


def family_model(name: str):
    """The model of a family with the vocabulary of `tiny_tokenizer` and reproducible weights, in evaluation mode."""
    import torch

    torch.manual_seed(11)
    model = make_model(FAMILIES[name], tiny_tokenizer()).eval()
    with torch.no_grad():
        for weight in model.parameters():
            # Weights are larger than usual initial ones, so that positions make a difference in the output.
            weight.add_(0.2 * torch.randn(weight.shape))
    return model
