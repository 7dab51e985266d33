"""Synthesis flows behind scripts/synth and scripts/fpga.

common    running tools, generating a chip, errors
library   what a flow needs to know of a Liberty file
asic      Yosys and OpenSTA: area, cells and Fmax of a module
baseline  committed results, and the comparison with them
"""
