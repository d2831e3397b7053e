package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"text/template"
)

// A plot has no background, and takes its colours from the reader's preference.
const plotStyle = `<style>
text { font: 12px sans-serif; fill: #24292f }
.axis { stroke: #8c959f; stroke-width: 1 } .grid { stroke: #8c959f; stroke-opacity: .25 }
.c0 { stroke: #57606a; fill: #57606a } .c1 { stroke: #0969da; fill: #0969da }
.c2 { stroke: #9a6700; fill: #9a6700 } .c3 { stroke: #cf222e; fill: #cf222e }
.c4 { stroke: #1a7f37; fill: #1a7f37 } .c5 { stroke: #8250df; fill: #8250df }
.line { fill: none; stroke-width: 2 } .bar { stroke: none } text.end { text-anchor: end } text.mid { text-anchor: middle }
@media (prefers-color-scheme: dark) {
text { fill: #d0d7de }
.c0 { stroke: #8b949e; fill: #8b949e } .c1 { stroke: #58a6ff; fill: #58a6ff }
.c2 { stroke: #d29922; fill: #d29922 } .c3 { stroke: #ff7b72; fill: #ff7b72 }
.c4 { stroke: #3fb950; fill: #3fb950 } .c5 { stroke: #bc8cff; fill: #bc8cff }
.line { fill: none } .bar { stroke: none }
}
</style>`

// line is a series of points.
type line struct {
	Name   string
	Colour int // from 0
	Dashed bool
	Points [][2]float64
}

// chart is a line plot. The x axis may be logarithmic.
type chart struct {
	Title, X, Y string
	Log         bool
	Lines       []line
}

const (
	plotWidth, plotHeight            = 720, 400
	plotLeft, plotTop                = 60, 36
	plotInnerWidth, plotInnerHeight  = 470, 310
	barHeight, barGap, barLeft, barW = 13, 12, 290, 330
)

// mark is a number on an axis, and where it is.
type mark struct {
	At   float64
	Text string
}

// scale is a piece of an axis, as numbers and as pixels.
type scale struct {
	low, high, from, to float64
	log                 bool
}

func (s scale) at(value float64) float64 {
	low, high := s.low, s.high
	if s.log {
		value, low, high = math.Log10(value), math.Log10(low), math.Log10(high)
	}
	if high == low {
		return s.from
	}
	return s.from + (value-low)/(high-low)*(s.to-s.from)
}

// marks are about five round numbers, or the powers of ten and what is round between them.
func (s scale) marks() []mark {
	var marks []mark
	if s.log {
		factors := []float64{1}
		if s.high < 100*s.low {
			factors = []float64{1, 2, 5}
		}
		for power := math.Floor(math.Log10(s.low)); power <= math.Log10(s.high); power++ {
			for _, factor := range factors {
				if value := factor * math.Pow(10, power); value >= s.low && value <= s.high {
					marks = append(marks, mark{s.at(value), fmt.Sprintf("%.0f", value)})
				}
			}
		}
		return marks
	}
	step := math.Pow(10, math.Floor(math.Log10((s.high-s.low)/5)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (s.high-s.low)/(step*factor) <= 6 {
			step *= factor
			break
		}
	}
	for value := math.Ceil(s.low/step) * step; value <= s.high+step/1e6; value += step {
		marks = append(marks, mark{s.at(value), fmt.Sprintf("%g", math.Round(value*1e6)/1e6)})
	}
	return marks
}

var chartTemplate = template.Must(template.New("chart").Funcs(template.FuncMap{"esc": html.EscapeString}).Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}">
` + plotStyle + `
<text x="{{.Left}}" y="20">{{esc .Title}}</text>
{{- range .YMarks}}
<line class="grid" x1="{{$.Left}}" x2="{{$.Right}}" y1="{{printf "%.1f" .At}}" y2="{{printf "%.1f" .At}}"/>
<text class="end" x="{{$.MarkX}}" y="{{printf "%.1f" .At}}" dy="4">{{.Text}}</text>
{{- end}}
{{- range .XMarks}}
<line class="grid" y1="{{$.Top}}" y2="{{$.Bottom}}" x1="{{printf "%.1f" .At}}" x2="{{printf "%.1f" .At}}"/>
<text class="mid" x="{{printf "%.1f" .At}}" y="{{$.MarkY}}">{{.Text}}</text>
{{- end}}
<path class="axis" fill="none" d="M{{.Left}} {{.Top}}V{{.Bottom}}H{{.Right}}"/>
<text class="mid" x="{{.Middle}}" y="{{.LabelY}}">{{esc .X}}</text>
<text x="{{.Left}}" y="34" dx="-54">{{esc .Y}}</text>
{{- range .Series}}
<polyline class="line c{{.Colour}}"{{if .Dashed}} stroke-dasharray="5 4"{{end}} points="{{.Points}}"/>
<line class="line c{{.Colour}}"{{if .Dashed}} stroke-dasharray="5 4"{{end}} x1="{{$.KeyX}}" x2="{{$.KeyEnd}}" y1="{{.Y}}" y2="{{.Y}}"/>
<text x="{{$.KeyText}}" y="{{.Y}}" dy="4">{{esc .Name}}</text>
{{- end}}
</svg>
`))

type series struct {
	Name, Points string
	Colour, Y    int
	Dashed       bool
}

// svg draws it.
func (c chart) svg() string {
	x := scale{math.Inf(1), math.Inf(-1), plotLeft, plotLeft + plotInnerWidth, c.Log}
	y := scale{0, math.Inf(-1), plotTop + plotInnerHeight, plotTop, false}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			x.low, x.high, y.high = min(x.low, p[0]), max(x.high, p[0]), max(y.high, p[1])
		}
	}
	y.high *= 1.05
	var all []series
	for i, l := range c.Lines {
		var points []string
		for _, p := range l.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(p[0]), y.at(p[1])))
		}
		all = append(all, series{l.Name, strings.Join(points, " "), l.Colour, plotTop + 10 + 20*i, l.Dashed})
	}
	var text strings.Builder
	err := chartTemplate.Execute(&text, map[string]any{
		"Title": c.Title, "X": c.X, "Y": c.Y, "Width": plotWidth, "Height": plotHeight,
		"Left": plotLeft, "Right": plotLeft + plotInnerWidth, "Top": plotTop, "Bottom": plotTop + plotInnerHeight,
		"Middle": plotLeft + plotInnerWidth/2, "MarkX": plotLeft - 6, "MarkY": plotTop + plotInnerHeight + 16,
		"LabelY": plotTop + plotInnerHeight + 36, "KeyX": plotLeft + plotInnerWidth + 16,
		"KeyEnd": plotLeft + plotInnerWidth + 40, "KeyText": plotLeft + plotInnerWidth + 46,
		"XMarks": x.marks(), "YMarks": y.marks(), "Series": all,
	})
	if err != nil {
		panic(err) // a mistake in the template
	}
	return text.String()
}

// bar is two figures to be compared.
type bar struct {
	Name         string
	Theirs, Ours float64
}

var barsTemplate = template.Must(template.New("bars").Funcs(template.FuncMap{"esc": html.EscapeString}).Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}">
` + plotStyle + `
<text x="8" y="20">{{esc .Title}}</text>
<rect class="bar c0" x="{{.Left}}" y="30" width="12" height="12"/><text x="{{.Left}}" y="40" dx="18">alone</text>
<rect class="bar c1" x="{{.Left}}" y="30" width="12" height="12" transform="translate(90)"/><text x="{{.Left}}" y="40" dx="108">with gosess</text>
{{- range .Bars}}
<text class="end" x="{{$.Name}}" y="{{.Y}}" dy="17">{{esc .Name}}</text>
<rect class="bar c0" x="{{$.Left}}" y="{{.Y}}" width="{{printf "%.1f" .Theirs}}" height="{{$.Bar}}"/>
<text x="{{$.Left}}" y="{{.Y}}" dx="{{printf "%.1f" .Theirs}}" dy="11">&#160;{{.TheirText}}</text>
<rect class="bar c1" x="{{$.Left}}" y="{{.Y2}}" width="{{printf "%.1f" .Ours}}" height="{{$.Bar}}"/>
<text x="{{$.Left}}" y="{{.Y2}}" dx="{{printf "%.1f" .Ours}}" dy="11">&#160;{{.OurText}}</text>
{{- end}}
</svg>
`))

// barsSVG draws pairs of bars.
func barsSVG(title string, bars []bar) string {
	most := 0.0
	for _, b := range bars {
		most = max(most, b.Theirs, b.Ours)
	}
	type drawn struct {
		Name               string
		Theirs, Ours       float64
		TheirText, OurText string
		Y, Y2              int
	}
	var all []drawn
	for i, b := range bars {
		y := 54 + i*(2*barHeight+barGap)
		all = append(all, drawn{b.Name, b.Theirs / most * barW, b.Ours / most * barW,
			fmt.Sprintf("%.0f", b.Theirs), fmt.Sprintf("%.0f", b.Ours), y, y + barHeight})
	}
	var text strings.Builder
	err := barsTemplate.Execute(&text, map[string]any{
		"Title": title, "Bars": all, "Width": plotWidth, "Height": 60 + len(bars)*(2*barHeight+barGap),
		"Left": barLeft, "Name": barLeft - 8, "Bar": barHeight,
	})
	if err != nil {
		panic(err) // a mistake in the template
	}
	return text.String()
}
