"""Networks: the integer description, Keras layers and builders, export between them."""
