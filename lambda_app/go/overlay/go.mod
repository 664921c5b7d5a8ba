module thawlab/overlay

go 1.21
