"""The colours of all figures and of the report.

Series have the colours of Okabe and Ito (2008), which are distinguishable with every common
colour-vision deficiency.
"""

INK = "#23262b"
FAINT = "#8a9099"
GRID = "#e4e6ea"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#999999", "#F0E442")
BASE, IRCODER = FAINT, SERIES[0]
