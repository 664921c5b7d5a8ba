module thawlab/clocks

go 1.21
