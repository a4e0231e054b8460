// Package limiter lets through a number of calls per interval and key.
package limiter

import (
	"errors"
	"sync"
	"time"
)

// ErrTooMany is returned when a key has used up its calls.
var ErrTooMany = errors.New("limiter: too many calls")

// Limiter counts calls per key. The zero value lets nothing through.
type Limiter struct {
	mu       sync.Mutex
	limit    int
	interval time.Duration
	windows  map[string]*window
}

type window struct {
	start time.Time
	count int
}

// New returns a limiter that allows limit calls per interval and key.
func New(limit int, interval time.Duration) *Limiter {
	return &Limiter{
		limit:    limit,
		interval: interval,
		windows:  make(map[string]*window),
	}
}

// Allow counts one call of the key, or says that there were too many.
func (l *Limiter) Allow(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	w, ok := l.windows[key]
	if !ok || now.Sub(w.start) >= l.interval {
		w = &window{start: now}
		l.windows[key] = w
	}
	if w.count >= l.limit {
		return ErrTooMany
	}
	w.count++
	return nil
}

// Reset forgets the calls of the key.
func (l *Limiter) Reset(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	delete(l.windows, key)
}
