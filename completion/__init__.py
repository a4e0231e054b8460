"""Ghost text: from a spot in a document to a suggestion worth showing."""
