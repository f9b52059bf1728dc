package main

import (
	"fmt"

	"github.com/durable-go/functions/durable"
)

// stock is how much of an article there is.
type stock struct {
	Left int64 `json:"left"`
	// Note is a text of anybody.
	Note string `json:"note,omitempty"`
}

func (s *stock) fill(_ *durable.EntityContext, n int64) (int64, error) {
	s.Left += n
	return s.Left, nil
}

func (s *stock) take(_ *durable.EntityContext, n int64) (int64, error) {
	if s.Left < n {
		return 0, fmt.Errorf("%w: %d are wanted, %d are left", errStock, n, s.Left)
	}
	s.Left -= n
	return s.Left, nil
}

func (s *stock) say(_ *durable.EntityContext, text string) error {
	s.Note = text
	return nil
}

var (
	stocks    = durable.NewEntity[stock]("Stock")
	fillStock = durable.NewOperation(stocks, "Fill", (*stock).fill)
	takeStock = durable.NewOperation(stocks, "Take", (*stock).take)
	_         = durable.NewCommand(stocks, "Say", (*stock).say)
)

// move is a number of articles that go from one stock to another.
type move struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int64  `json:"count"`
}

// moveStock holds both stocks until somebody has counted.
var moveStock = durable.NewOrchestrator("MoveStock", func(ctx *durable.Context, m move) (int64, error) {
	return durable.Critical(ctx, func() (int64, error) {
		if _, err := durable.WaitForEvent[durable.None](ctx, "Counted").Await(); err != nil {
			return 0, err
		}
		left, err := takeStock.Call(ctx, m.From, m.Count).Await()
		if err != nil {
			return 0, err
		}
		_, err = fillStock.Call(ctx, m.To, m.Count).Await()
		return left, err
	}, stocks.ID(m.From), stocks.ID(m.To))
})

// sell takes articles from a stock, one way says so to another.
var sell = durable.NewOrchestrator("Sell", func(ctx *durable.Context, m move) (int64, error) {
	left, err := takeStock.Call(ctx, m.From, m.Count).Await()
	if err != nil {
		return 0, err
	}
	return left, fillStock.Signal(ctx, m.To, m.Count)
})
