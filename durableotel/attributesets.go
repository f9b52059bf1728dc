package durableotel

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// attributeSets are the attributes of metrics, made once: there are few. It may be used
// concurrently.
type attributeSets struct {
	made sync.Map // texts to metric.MeasurementOption
	// known is how many there are.
	known atomic.Int32
}

// texts are the values of up to four attributes, and which attributes these are.
type texts struct {
	keys   *[]attribute.Key
	values [4]string
}

// maxKnown bounds what is remembered where names are no names.
const maxKnown = 2000

// Attributes that metrics have together. Each is one variable, by which texts know it.
var (
	byName            = []attribute.Key{nameKey}
	byNameVersion     = []attribute.Key{nameKey, versionKey}
	byNameStatus      = []attribute.Key{nameKey, statusKey}
	byEnd             = []attribute.Key{nameKey, versionKey, statusKey}
	byOutcome         = []attribute.Key{nameKey, outcomeOfKey}
	byFailure         = []attribute.Key{nameKey, outcomeOfKey, errorKey}
	byOperation       = []attribute.Key{nameKey, operationKey, outcomeOfKey}
	byFailedOperation = []attribute.Key{nameKey, operationKey, outcomeOfKey, errorKey}
)

// of are the attributes of the keys with these values.
func (s *attributeSets) of(keys *[]attribute.Key, values ...string) metric.MeasurementOption {
	key := texts{keys: keys}
	copy(key.values[:], values)
	if kept, ok := s.made.Load(key); ok {
		return kept.(metric.MeasurementOption)
	}
	all := make([]attribute.KeyValue, len(*keys))
	for i, k := range *keys {
		all[i] = k.String(key.values[i])
	}
	option := metric.WithAttributeSet(attribute.NewSet(all...))
	if s.known.Add(1) <= maxKnown {
		s.made.Store(key, option)
	}
	return option
}
