package monitor

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// plot is a figure over the last hour, with the same in words.
type plot struct {
	ID, Title string
	Words     string        // what a reader who does not see the picture is told
	Picture   template.HTML // an SVG that is made of numbers alone
	Legend    []string
	Rows      []row // each tenth value, for who wants numbers
}

// row is the values of one moment, as text.
type row struct {
	Ago    string
	Values []string
}

// The picture, in units of its own: it is as wide as its place.
const (
	wide, high   = 720.0, 150.0
	left, bottom = 76.0, 28.0
	above        = 14.0 // half a line of text
	tenth        = 10
)

// makePlot draws lines with one scale, from zero. most is the end of the scale, 0: as the values want it.
func makePlot(id, title, unit string, most float64, all ...series) plot {
	p := plot{ID: id, Title: title}
	top, any := most, false
	for _, s := range all {
		p.Legend = append(p.Legend, s.name)
		for _, v := range s.values {
			if !math.IsNaN(v) {
				any = true
				if most == 0 {
					top = max(top, v)
				}
			}
		}
	}
	if !any {
		p.Words = "There is nothing to show yet."
		return p
	}
	if top = nice(top); most != 0 {
		top = most
	}
	var words []string
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="%s-words">`, wide, high+bottom, id)
	for i := range 3 {
		y := above + (high-above)*float64(i)/2
		fmt.Fprintf(&svg, `<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/><text x="%.0f" y="%.1f" text-anchor="end" dominant-baseline="central">%s</text>`,
			left, wide, y, y, left-6, y, short(top*float64(2-i)/2))
	}
	for i, s := range all {
		fmt.Fprintf(&svg, `<path class="s%d" d="%s"/>`, i, path(s.values, top))
		words = append(words, inWords(s, unit))
	}
	n := len(all[0].values)
	fmt.Fprintf(&svg, `<text x="%.0f" y="%.0f">%d min ago</text><text x="%.0f" y="%.0f" text-anchor="end">now</text></svg>`,
		left, high+bottom-4, n, wide, high+bottom-4)
	p.Words = strings.Join(words, " ")
	p.Picture = template.HTML(svg.String())
	for i := n - 1; i >= 0; i -= tenth {
		r := row{Ago: fmt.Sprintf("%d min", n-1-i)}
		for _, s := range all {
			r.Values = append(r.Values, withUnit(s.values[i], unit))
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

// path is a line, which has gaps where there are no values. One value alone is a dot.
func path(values []float64, top float64) string {
	var d strings.Builder
	x := func(i int) float64 { return left + (wide-left)*float64(i+1)/float64(len(values)) }
	pen := false
	for i, v := range values {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		y := high - (high-above)*min(v/top, 1)
		if pen {
			fmt.Fprintf(&d, "L%.1f %.1f", x(i), y)
		} else {
			fmt.Fprintf(&d, "M%.1f %.1fh.1", x(i), y)
		}
		pen = true
	}
	return d.String()
}

// inWords is what a line shows.
func inWords(s series, unit string) string {
	low, highest, last := math.Inf(1), math.Inf(-1), math.NaN()
	for _, v := range s.values {
		if !math.IsNaN(v) {
			low, highest, last = min(low, v), max(highest, v), v
		}
	}
	if math.IsNaN(last) {
		return upper(s.name) + ": nothing yet."
	}
	return fmt.Sprintf("%s: %s last, between %s and %s.", upper(s.name), withUnit(last, unit), withUnit(low, unit), withUnit(highest, unit))
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func withUnit(v float64, unit string) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strings.TrimSpace(short(v) + " " + unit)
}

// short is a number in few characters.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// nice is a round number that is not less.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*power {
			return m * power
		}
	}
	return v
}
