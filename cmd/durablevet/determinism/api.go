package determinism

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// durablePath is the package whose users are checked.
const durablePath = "github.com/durable-go/functions/durable"

// The types of package durable that rules speak of. A type that is renamed
// there is renamed here, and nowhere else.
const (
	typeContext             = "Context"
	typeEntityContext       = "EntityContext"
	typeTask                = "Task"
	typeTimer               = "Timer"
	typeWaitGroup           = "WaitGroup"
	typeEvents              = "EventChannel"
	typeAwaitable           = "Awaitable"
	typeOrchestrator        = "Orchestrator"
	typeActivity            = "Activity"
	typeApp                 = "App"
	typeRetryPolicy         = "RetryPolicy"
	typeOrchestratorHandler = "OrchestratorHandler"
)

// coroutineTypes belong to one orchestrator: a call of their methods, or with
// them, is a call into its coroutine.
var coroutineTypes = []string{typeContext, typeTask, typeTimer, typeWaitGroup, typeEvents, typeAwaitable}

// role is what a function runs as.
type role int

const (
	// plain functions run where they are called.
	plain role = iota
	// orchestrator functions run in the coroutine, again in each replay.
	orchestrator
	// branch functions are those of durable.Go: coroutines beside the orchestrator.
	branch
	// critical functions run in the coroutine with the locks of entities.
	critical
	// recorded functions run in the coroutine once; replays have their value.
	recorded
	// apart functions do not run in the coroutine: activities, steps, triggers.
	apart
	// decision functions are called by the engine in each replay, outside the
	// coroutine.
	decision
)

// durable reports whether the code of a role is run again in each replay.
func (r role) durable() bool {
	return r == orchestrator || r == branch || r == critical || r == decision
}

// inCoroutine reports whether a role may use the Context.
func (r role) inCoroutine() bool { return r == orchestrator || r == branch || r == critical }

// none is the index of an argument that a function does not have.
const none = -1

// api describes a function or method of package durable.
type api struct {
	// fn is the index of the argument that is a function, and runs what it is
	// run as.
	fn   int
	runs role
	// name is the index of the argument that is a name, of the kind that is
	// named.
	name  int
	named string
	// defines reports that the call makes a function of that name, declares
	// that its implementation is given elsewhere.
	defines, declares bool
	// in is the index of the argument that is a payload.
	in int
}

// Kinds of names.
const (
	nameOrchestrator = "orchestrator"
	nameActivity     = "activity"
	nameStep         = "step"
	nameEvent        = "event"
	namePatch        = "patch"
	nameEntity       = "entity"
	nameOperation    = "operation"
)

// Functions and methods of package durable that rules speak of, as Function or
// Type.Method.
const (
	fnContinueAsNew       = "ContinueAsNew"
	fnContinueAsNewMethod = "Orchestrator.ContinueAsNew"
	fnContextContinue     = "Context.ContinueAsNew"
	fnPatched             = "Patched"
	fnNewApp              = "NewApp"
	fnRun                 = "App.Run"
	fnRegister            = "App.Register"
	fnUseSerializer       = "App.UseSerializer"
	fnNewView             = "NewView"
	fnCritical            = "Critical"
	fnOrchestratorCall    = "Orchestrator.Call"
	fnOrchestratorByName  = "CallOrchestrator"
	fnActivityByName      = "CallActivity"
	fnOperationCall       = "Operation.Call"
	fnEntityByName        = "CallEntity"
	fnEntityID            = "Entity.ID"
	fnNow                 = "Context.Now"
	fnIsReplaying         = "Context.IsReplaying"
	fnWaitGroupGo         = "WaitGroup.Go"
	fnWaitGroupWait       = "WaitGroup.Wait"
	fnOrchestratorMiddle  = "App.UseOrchestratorMiddleware"
)

// apis are the functions that take functions, names or payloads.
var apis = map[string]api{
	"NewOrchestrator":           {fn: 1, runs: orchestrator, name: 0, named: nameOrchestrator, defines: true, in: none},
	"DeclareOrchestrator":       {fn: none, name: 0, named: nameOrchestrator, defines: true, declares: true, in: none},
	"Orchestrator.Implement":    {fn: 0, runs: orchestrator, name: none, in: none},
	"NewActivity":               {fn: 1, runs: apart, name: 0, named: nameActivity, defines: true, in: none},
	"NewAction":                 {fn: 1, runs: apart, name: 0, named: nameActivity, defines: true, in: none},
	"DeclareActivity":           {fn: none, name: 0, named: nameActivity, defines: true, declares: true, in: none},
	"DeclareAction":             {fn: none, name: 0, named: nameActivity, defines: true, declares: true, in: none},
	"Activity.Implement":        {fn: 0, runs: apart, name: none, in: none},
	"Action.Implement":          {fn: 0, runs: apart, name: none, in: none},
	"Branch":                    {fn: 0, runs: branch, name: none, in: none},
	"Go":                        {fn: 1, runs: branch, name: none, in: none},
	fnWaitGroupGo:               {fn: 1, runs: branch, name: none, in: none},
	"Step":                      {fn: 2, runs: apart, name: 1, named: nameStep, in: none},
	"SideEffect":                {fn: 1, runs: recorded, name: none, in: none},
	fnCritical:                  {fn: 1, runs: critical, name: none, in: none},
	fnOrchestratorMiddle:        {fn: 0, runs: orchestrator, name: none, in: none},
	"App.UseActivityMiddleware": {fn: 0, runs: apart, name: none, in: none},
	"HandleTrigger":             {fn: 2, runs: apart, name: none, in: none},
	"App.HandleHTTP":            {fn: 1, runs: apart, name: none, in: none},
	fnActivityByName:            {fn: none, name: 1, named: nameActivity, in: 2},
	fnOrchestratorByName:        {fn: none, name: 1, named: nameOrchestrator, in: 2},
	"WaitForEvent":              {fn: none, name: 1, named: nameEvent, in: none},
	"Events":                    {fn: none, name: 1, named: nameEvent, in: none},
	"NewEvent":                  {fn: none, name: 0, named: nameEvent, in: none},
	"Context.SendEvent":         {fn: none, name: 1, named: nameEvent, in: 2},
	"Client.RaiseEvent":         {fn: none, name: 2, named: nameEvent, in: 3},
	fnPatched:                   {fn: none, name: 1, named: namePatch, in: none},
	"NewEntity":                 {fn: none, name: 0, named: nameEntity, in: none},
	"NewOperation":              {fn: 2, runs: apart, name: 1, named: nameOperation, in: none},
	"NewCommand":                {fn: 2, runs: apart, name: 1, named: nameOperation, in: none},
	fnNewView:                   {fn: 2, runs: apart, name: 1, named: nameOperation, in: none},
	fnContinueAsNew:             {fn: none, name: none, in: 1},
	fnContextContinue:           {fn: none, name: none, in: 0},
	"Context.SetCustomStatus":   {fn: none, name: none, in: 0},
}

// decisions are the fields of durable types whose functions are called in each
// replay.
var decisions = map[string]string{"Handle": typeRetryPolicy}

// passive methods ask nothing of the engine that a history records.
var passive = map[string]bool{
	"Context.InstanceID": true, "Context.Name": true, "Context.Version": true, "Context.CompareVersion": true,
	"Context.Tags": true, "Context.Parent": true, fnNow: true, "Context.NewGUID": true, "Context.Rand": true,
	fnIsReplaying: true, "Context.Logger": true, "Context.SetCustomStatus": true, "Task.Done": true, "Task.Cancel": true,
}

// mustCheck are the functions whose error must not be dropped.
var mustCheck = map[string]bool{
	"Task.Await": true, "Action.Do": true, "All": true, "FirstError": true, "Map": true, fnWaitGroupWait: true, "EventChannel.Receive": true,
}

// durations are the arguments that are durations, by index.
var durations = map[string]int{
	"WithTimeout": 0, "WithTotalTimeout": 0, "WithHeartbeatTimeout": 0, "Context.Sleep": 0, "Context.NewTimer": 0, "RetryAfter": 1,
}

// policyFields are the fields of a RetryPolicy.
var policyFields = struct{ attempts, first, backoff, longest, timeout, jitter string }{
	"MaxAttempts", "FirstInterval", "Backoff", "MaxInterval", "Timeout", "Jitter",
}

// planned are names of the table above that package durable may lack.
var planned = []string{
	typeEntityContext, "NewEntity", "NewOperation", "NewCommand", fnNewView, fnCritical, fnOperationCall, fnEntityByName,
	fnEntityID,
}

// durableName returns the name of a function or method of package durable, as
// in the table, or "".
func durableName(f *types.Func) string {
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != durablePath {
		return ""
	}
	if recv := f.Signature().Recv(); recv != nil {
		if named := namedOf(recv.Type()); named != nil {
			return named.Obj().Name() + "." + f.Name()
		}
	}
	return f.Name()
}

// callee returns the function that a call calls, generic functions as they
// are declared; nil where that is known only at run time.
func callee(info *types.Info, call *ast.CallExpr) *types.Func {
	f, _ := typeutil.Callee(info, call).(*types.Func)
	if f == nil {
		return nil
	}
	return f.Origin()
}

// durableCall is durableName of what a call calls.
func durableCall(info *types.Info, call *ast.CallExpr) string {
	return durableName(callee(info, call))
}

// namedOf returns the named type of a value or of what it points to; nil when
// there is none.
func namedOf(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, _ := t.(*types.Named)
	return n
}

// isDurable reports whether t is, or points to, a type of package durable of
// one of the names.
func isDurable(t types.Type, names ...string) bool {
	n := namedOf(t)
	return n != nil && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == durablePath && slices.Contains(names, n.Obj().Name())
}

// isContext reports whether t is *durable.Context.
func isContext(t types.Type) bool { return t != nil && isDurable(t, typeContext) }

// isGoContext reports whether t is a context.Context.
func isGoContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}

// takes reports whether a function has a parameter of a kind.
func takes(sig *types.Signature, is func(types.Type) bool) bool {
	for v := range sig.Params().Variables() {
		if is(v.Type()) {
			return true
		}
	}
	return false
}

// entersCoroutine reports whether a call uses the Context, or what was made
// from it: it is made with one, or is a method of one.
func entersCoroutine(info *types.Info, call *ast.CallExpr) bool {
	if selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := info.Selections[selector]; s != nil && isDurable(s.Recv(), coroutineTypes...) {
			return true
		}
	}
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		t := info.TypeOf(arg)
		if t == nil {
			return false
		}
		if s, ok := t.Underlying().(*types.Slice); ok {
			t = s.Elem()
		}
		return isDurable(t, coroutineTypes...)
	})
}

// waits reports whether a call leaves something in the history.
func waits(info *types.Info, call *ast.CallExpr) bool {
	name := durableCall(info, call)
	return entersCoroutine(info, call) && !passive[name] && !strings.HasPrefix(name, "With")
}
