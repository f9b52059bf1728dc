// Package samples holds the source of the samples, for the templates of "durable
// init": an app that is made from a template is the sample under another module path.
package samples

import "embed"

// Files has a folder for each sample that is a template. Folders of functions begin
// with a capital letter: what "durable start" builds in a sample's folder stays out.
//
//go:embed hello/*.go hello/*.json hello/README.md hello/[A-Z]*/*
//go:embed order/*.go order/*.json order/README.md order/[A-Z]*/*
//go:embed fan-out/*.go fan-out/*.json fan-out/README.md fan-out/[A-Z]*/*
//go:embed approval/*.go approval/*.json approval/README.md approval/[A-Z]*/*
//go:embed saga/*.go saga/*.json saga/README.md saga/[A-Z]*/*
//go:embed monitor/*.go monitor/*.json monitor/README.md monitor/[A-Z]*/*
//go:embed entity/*.go entity/*.json entity/README.md entity/[A-Z]*/*
var Files embed.FS
