"""Rules of the stage."""
