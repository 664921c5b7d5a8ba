module thawlab/function

go 1.24.0

require (
	github.com/aws/aws-lambda-go v1.54.0
	golang.org/x/sys v0.41.0
)
