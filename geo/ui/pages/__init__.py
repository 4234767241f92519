"""The pages of the app, each a function that draws one View."""
