package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// The scripts of completion know nothing of the commands: they ask gosess __complete, with the words so far, the last
// of which is completed.
const (
	bashScript = `# bash: source <(gosess completion bash)
_gosess() {
    local line
    COMPREPLY=()
    while IFS=$'\t' read -r line _; do
        if [ "$line" = :files ]; then
            compopt -o default
            return
        fi
        COMPREPLY+=("$line")
    done < <(gosess __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _gosess gosess
`
	zshScript = `#compdef gosess
# zsh: gosess completion zsh > /usr/local/share/zsh/site-functions/_gosess
_gosess() {
    local -a lines candidates
    local line
    lines=("${(@f)$(gosess __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ ${lines[1]} == :files ]]; then
        compset -P '*:'
        _files
        return
    fi
    for line in $lines; do
        line=${line//:/\\:}
        candidates+=("${line/$'\t'/:}")
    done
    _describe gosess candidates
}
if [[ $funcstack[1] == _gosess ]]; then _gosess; else compdef _gosess gosess; fi
`
	fishScript = `# fish: gosess completion fish > ~/.config/fish/completions/gosess.fish
function __gosess_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines (gosess __complete -- $words[2..-1] 2>/dev/null)
    if test "$lines[1]" = :files
        set -l scheme (commandline -ct | string match -r '^shm:')
        __fish_complete_path (commandline -ct | string replace -r '^shm:' '') | string replace -r '^' "$scheme"
    else
        printf '%s\n' $lines
    end
end
complete -c gosess -f -a '(__gosess_complete)'
`
)

// completion prints the script of a shell.
func completion(out *output, operands []string) error {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	if len(operands) != 1 || scripts[operands[0]] == "" {
		return usageError{"completion takes one shell: bash, zsh or fish"}
	}
	_, err := io.WriteString(out, scripts[operands[0]])
	return err
}

// complete prints what the last word may become: one candidate a line with what it means behind a tab, or :files
// where the shell knows better.
func complete(out *output, words []string) error {
	if len(words) == 0 {
		return nil
	}
	last := words[len(words)-1]
	for _, c := range candidates(words[:len(words)-1], last) {
		word, _, _ := strings.Cut(c, "\t")
		if strings.HasPrefix(word, last) || word == files {
			fmt.Fprintln(out, c)
		}
	}
	return nil
}

const files = ":files"

// candidates are what may stand behind some words of a command line.
func candidates(before []string, last string) (found []string) {
	c, rest, err := find(before)
	if err != nil {
		return nextWords(before)
	}
	if c.name == "help" {
		return nextWords(rest)
	}
	if c.program && len(operandsOf(c, rest)) > 0 {
		return []string{files}
	}
	options := optionsOf(c)
	if len(rest) > 0 {
		for _, o := range options {
			if o.value != "" && strings.TrimLeft(rest[len(rest)-1], "-") == o.flag {
				return choices(o.value)
			}
		}
	}
	if strings.HasPrefix(last, "-") {
		for _, o := range options {
			found = append(found, "--"+o.flag+"\t"+o.usage)
		}
		return append(found, "--help\texplain "+c.name)
	}
	return choices(c.operands)
}

// operandsOf are the words that are neither options nor values of some.
func operandsOf(c *command, words []string) (operands []string) {
	options, value := optionsOf(c), false
	for _, word := range words {
		switch {
		case value:
			value = false
		case strings.HasPrefix(word, "-"):
			value = slices.ContainsFunc(options, func(o option) bool {
				return o.value != "" && strings.TrimLeft(word, "-") == o.flag
			})
		default:
			operands = append(operands, word)
		}
	}
	return operands
}

// nextWords are those of the names of commands that begin with these words.
func nextWords(before []string) (found []string) {
	for _, c := range table {
		words := strings.Fields(c.name)
		if c.hidden || len(words) <= len(before) || strings.Join(words[:len(before)], " ") != strings.Join(before, " ") {
			continue
		}
		word := words[len(before)] + "\t"
		if len(words) == len(before)+1 {
			word += c.short
		}
		if len(found) == 0 || found[len(found)-1] != word {
			found = append(found, word)
		}
	}
	return found
}

// choices are the words that a value may be; where it is no choice, the shell looks for files.
func choices(value string) []string {
	if value == "" || strings.ToLower(value) != value {
		return []string{files}
	}
	return strings.Split(value, "|")
}
