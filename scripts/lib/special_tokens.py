"""Special tokens that more than one stage spells out."""

# End of text of the GPT-2 family of tokenizers.
END_OF_TEXT = "<|endoftext|>"
