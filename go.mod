module github.com/wormsweep/wormsweep

go 1.26
