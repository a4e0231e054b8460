"""The recipe that makes the bundled starter model: sources, cuts, tokenizer, training, export, evaluation."""
