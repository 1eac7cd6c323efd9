# bash completion for assay: subcommands, flags, and what a flag takes.
_assay() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local common="--store --no-store --workers --key --help"
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "inspect ls cat show export list functions disasm refs calls declare requirements policy certify verify status certificate keygen log --help --version" -- "$word")
    return
  fi
  case $previous in
    --fail-on) mapfile -t COMPREPLY < <(compgen -W "note low medium high critical none" -- "$word"); return ;;
    --store) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --as-of) mapfile -t COMPREPLY < <(compgen -W "$(date -u +%F)" -- "$word"); return ;;
    --workers) return ;;
    --key) mapfile -t COMPREPLY < <(compgen -W "$(assay list formats 2>/dev/null | sed 's/ .*/=/')" -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    case $command in
      inspect) common+=" --json --sarif --cyclonedx --openvex --html --declaration --as-of --fail-on --no-code --arrows" ;;
      functions) common+=" --json --cpu --base" ;;
      disasm) common+=" --ir --c --cpu --base" ;;
      calls) common+=" --dot --cpu --base" ;;
      refs) common+=" --cpu --base" ;;
      show) common+=" --as-of" ;;
      declare) common+=" --declaration --mud --export-mud --as-of --output -o" ;;
      certify) common+=" --policy --declaration --as-of --format-key --nmap --sarif --results --waiver --save-evidence --log --output -o" ;;
      policy) common+=" --declaration --as-of --nmap --sarif --results --evidence --ref --reason --until --cosign --output -o" ;;
      requirements) common="--cyclonedx --help" ;;
      verify) common="--trust --signer --log-key --log --as-of --image --recompute --sample --declaration --policy --format-key --workers --help" ;;
      status) common="--trust --key --log --reason --by --on --help" ;;
      certificate) common="--output -o --withhold --help" ;;
      keygen) common="--output -o --type --help" ;;
      export) common+=" --output -o" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$common" -- "$word")
    return
  fi
  if [ "$command" = list ]; then
    mapfile -t COMPREPLY < <(compgen -W "formats checks" -- "$word")
  elif [ "$command" = requirements ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(assay requirements 2>/dev/null | cut -d' ' -f1)" -- "$word")
  elif [ "$command" = policy ] && [ "$COMP_CWORD" = 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W "list check judge diff evidence waive" -- "$word")
  elif [ "$command" = status ] && [ "$COMP_CWORD" = 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W "issue review suspend reinstate withdraw expire supersede" -- "$word")
  elif [ "$command" = certificate ] && [ "$COMP_CWORD" = 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W "page redact" -- "$word")
  elif [ "$command" = log ] && [ "$COMP_CWORD" = 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W "init append checkpoint prove verify witness serve" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _assay assay
