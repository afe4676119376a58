# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for tacho-cli

_tacho_cli()
{
  local cur prev command='' i skip=''
  local commands='probe models prompt bench sweep compare analyze history merge profiles config simulate'
  local common='--url --profile --grpc --protocol --api --api-key-env --ca --cert --key --pin --proxy --allow-plain-key --header --timeout-connect --timeout-first
    --timeout-idle --timeout-total --json --help'
  local plan='-m --model --concurrency --rate --arrival --requests --duration --warmup --cooldown --ramp --max-errors --until
    --cancel --prompt-tokens --output-tokens --about-tokens --prompts --replay --time-scale --turns --think --completion
    --seed --salt --no-salt --http2 --threads --worker --slo --no-watch --no-history'
  local options=''

  COMPREPLY=()
  cur=${COMP_WORDS[COMP_CWORD]}
  prev=${COMP_WORDS[COMP_CWORD-1]}

  # The command is the first word that is neither an option nor the value of one. bash splits words
  # at ":" and "=" (COMP_WORDBREAKS), so the pieces behind one of these belong to the value.
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ -n $skip && ${COMP_WORDS[i]} != [:=] ]]; then
      skip=''
      while [[ ${COMP_WORDS[i+1]} == [:=]* && $((i + 1)) -lt $COMP_CWORD ]]; do
        ((i++))
        [[ ${COMP_WORDS[i+1]} != -* && ${COMP_WORDS[i]} == [:=] && ${COMP_WORDS[i+1]} == //* ]] && ((i++))
      done
      continue
    fi
    case ${COMP_WORDS[i]} in
      --json | --help | --version | --allow-plain-key | --watch | --local | --api-key | --no-api-key | --default | --origin) ;;
      -*) skip=yes ;;
      [:=]*) ;;
      *) [[ " $commands " == *" ${COMP_WORDS[i]} "* ]] && { command=${COMP_WORDS[i]}; break; } ;;
    esac
  done

  case $prev in
    --ca | --cert | --key | --out | --records | --capture)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      compopt -o filenames 2> /dev/null
      return ;;
    --api) mapfile -t COMPREPLY < <(compgen -W 'auto openai openai-responses llamacpp ollama lmstudio vllm sglang tgi oip ryzanstein' -- "$cur"); return ;;
    --order) mapfile -t COMPREPLY < <(compgen -W 'grpc-first rest-first' -- "$cur"); return ;;
    --profile)
      # One name a line: it may hold blanks.
      mapfile -t COMPREPLY < <(IFS=$'\n'; compgen -W "$("${COMP_WORDS[0]}" config show 2> /dev/null |
        sed -n 's/^profile \(.*[^ ]\)  *url  .*/\1/p')" -- "$cur")
      return ;;
    --protocol) mapfile -t COMPREPLY < <(compgen -W 'rest grpc hybrid' -- "$cur"); return ;;
    --api-key-env) mapfile -t COMPREPLY < <(compgen -e -- "$cur"); return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'tacho csv vllm aiperf markdown html' -- "$cur"); return ;;
    --fault)
      mapfile -t COMPREPLY < <(compgen -W 'status= latency= slow= stall drop truncate error no_usage' -- "$cur")
      return ;;
    --url) mapfile -t COMPREPLY < <(compgen -W 'sim: http://127.0.0.1:8080' -- "$cur"); return ;;
  esac

  case $command in
    '') options="$commands"
        [[ $cur == -* ]] && options="$common --version" ;;
    probe) options="$common --watch --local" ;;
    models) options='list show load unload pull delete'
        [[ $cur == -* ]] && options="--all --from --refresh $common" ;;
    prompt) options="-m --model --system --max-tokens --temperature --top-p --seed --stop --stream --no-stream --stats $common" ;;
    bench) options="$plan --calibrate --start-at --fail-on --out --records --format $common" ;;
    sweep) options="$plan --out --records $common" ;;
    analyze) options='--json --help' ;;
    compare) options='--fail-on-regression --metric --force --json --help' ;;
    merge) options='--out --force --json --help' ;;
    history) options='list show export delete tag note baseline import'
        [[ $cur == -* ]] && options='--search --out --format --json --help' ;;
    profiles) options='list show add edit remove test default'
        [[ $cur == -* ]] && options="--name -m --model --order --api-key --no-api-key --default $common" ;;
    config) options='show path check set unset'
        [[ $cur == -* ]] && options="--origin $common" ;;
    simulate) options='--port --api --also --grpc-port --tls-cert --tls-key --tls-client-ca --slots
      --kv-cache --rate-limit --scenario --models --ttft --itl --fault --capture --seed --json --help' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _tacho_cli tacho-cli
