"""Synthesis flows behind scripts/synth and scripts/fpga.

common    running tools, generating a chip, errors
library   what a flow needs to know of a Liberty file
asic      Yosys and OpenSTA: area, cells and Fmax of a module
twins     emitted modules against hand-written ones; cosimulation, side by side on random inputs
overhead  share of BasisN's own hardware in a tile
baseline  committed results, and the comparison with them
waves     timing diagrams of the docs, from simulations
"""
