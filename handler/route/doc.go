// Package route finds the function that answers a path, exactly as the
// Functions host does: the templates of function.json are those of ASP.NET Core
// (learn.microsoft.com/aspnet/core/fundamentals/routing), and of the functions
// whose template fits, the one whose name comes first gets the request.
//
// The host checks the key of the function that it has chosen, and passes the
// request on without that function's name. So a router that came to another
// function would open it without its key. Where this package cannot know what
// the host decides it says so ([Unsure]), and the caller refuses the request.
package route
