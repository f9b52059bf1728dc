// Package samples holds the source of the samples, for the templates of "durable
// init": an app that is made from a template is the sample under another module path.
package samples

import "embed"

// Files has a folder for each sample that is a template. Function folders begin with
// a capital letter, so what "durable start" builds in a sample's folder stays out.
//
//go:embed hello/*.go hello/*.json hello/README.md hello/[A-Z]*/*
//go:embed order/*.go order/*.json order/README.md order/[A-Z]*/*
var Files embed.FS
