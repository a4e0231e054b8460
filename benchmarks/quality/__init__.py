"""How good what is suggested is: places, answers, judgements, tables, each in a module; see ``__main__``."""
