// Package beat has all that an agent does again and again done at the same moments. After each moment at which something was done, and all threads sleep again, the
// monitor thread of the Go runtime looks some sixty times whether one does something, which is most of what an idle agent costs.
package beat

import "time"

// begin is when this process began, which others of the fleet did at other times: they ask the far store at other moments.
var begin = time.Now()

// Until is how long it is until a period ends. Periods of one length end at the same moments, and of others where these are multiples.
func Until(period time.Duration) time.Duration { return period - time.Since(begin)%period }
