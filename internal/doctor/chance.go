package doctor

import "math"

// sure is the confidence of what is said of fractions.
const sure = 0.99

// attemptsFor is how many attempts miss something that spoils this fraction of them with a chance of no more than 1 - sure.
func attemptsFor(spoilt float64) int {
	return int(math.Ceil(math.Log(1-sure) / math.Log(1-spoilt)))
}

// atMost is the chance of no more than this many successes among n attempts of that probability.
func atMost(successes, n int, probability float64) float64 {
	if successes >= n || probability <= 0 {
		return 1
	}
	if probability >= 1 {
		return 0
	}
	sum, term := 0.0, float64(n)*math.Log1p(-probability) // its logarithm: it may be very small
	odds := math.Log(probability) - math.Log1p(-probability)
	for k := 0; k <= successes; k++ {
		sum += math.Exp(term)
		term += odds + math.Log(float64(n-k)) - math.Log(float64(k+1))
	}
	return min(sum, 1)
}

// between is where the fraction lies, each bound with the confidence of sure (Clopper and Pearson's).
func between(successes, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	search := func(above func(p float64) bool) float64 {
		low, high := 0.0, 1.0
		for range 50 {
			if middle := (low + high) / 2; above(middle) {
				high = middle
			} else {
				low = middle
			}
		}
		return low
	}
	if successes > 0 {
		low = search(func(p float64) bool { return 1-atMost(successes-1, n, p) > 1-sure })
	}
	high = 1
	if successes < n {
		high = search(func(p float64) bool { return atMost(successes, n, p) < 1-sure })
	}
	return low, high
}
