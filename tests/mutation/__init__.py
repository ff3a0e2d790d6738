"""Mutation testing of the domain: change the code in small ways and see the tests fail."""
