import type { Remedy } from "../domain/errors/index.ts"

const at = (where: { readonly deployment: string; readonly environment: string }): string =>
  `${where.deployment} --environment ${where.environment}`

const reason = `--reason "<reason>"`

/** The command that carries a remedy out; undefined if it is not a command. */
export const commandOf = (remedy: Remedy): string | undefined => {
  switch (remedy._tag) {
    case "attach":
    case "abort":
    case "monitor":
    case "status":
    case "cleanup":
      return `signalbox ${remedy._tag} ${remedy.execution}`
    case "events":
      return `signalbox events ${remedy.execution} --json`
    case "run_command":
      return `signalbox run --correlation-id ${remedy.execution} -- <command>`
    case "queue":
      return "--queue fifo"
    case "override":
      return `--override "<reason>"`
    case "force":
      return "--force"
    case "explain":
      return `signalbox can-deploy ${at(remedy)} --explain`
    case "history":
      return `signalbox history${remedy.deployment === undefined ? "" : ` ${remedy.deployment}`}${remedy.environment === undefined ? "" : ` --environment ${remedy.environment}`}`
    case "deploy_version":
      return `signalbox deploy ${at(remedy)} --version ${remedy.version} --artifact <where it is>`
    case "rollback_to":
      return `signalbox rollback ${at(remedy)} --to ${remedy.execution}`
    case "destroy_stack":
      return `signalbox destroy-stack ${remedy.deployment} ${remedy.stack} --environment ${remedy.environment}`
    case "show_lock":
      return `signalbox lock show ${at(remedy)}`
    case "unlock":
      return `signalbox lock release ${at(remedy)} ${reason}`
    case "revoke_lease":
      return `signalbox lock release ${at(remedy)} --force ${reason}`
    case "lift_veto":
      return `signalbox veto ${remedy.version} ${remedy.deployment}${remedy.environment === null ? "" : ` --environment ${remedy.environment}`} --lift ${reason}`
    case "list":
    case "init":
    case "active":
      return `signalbox ${remedy._tag}`
    case "ask_providers":
      return "signalbox can-deploy"
    case "orphans":
      return "signalbox destroy --orphans"
    case "console":
    case "hint":
      return undefined
  }
}

const labels: { readonly [Tag in Exclude<Remedy["_tag"], "hint" | "console">]: string } = {
  attach: "follow it",
  abort: "stop it",
  monitor: "watch it",
  status: "see its state",
  events: "please report it with the output of",
  cleanup: "close it",
  run_command: "give it its command",
  queue: "wait for it",
  override: "go ahead anyway",
  force: "take it over",
  explain: "list every blocker",
  history: "see what was deployed",
  deploy_version: "deploy another version",
  rollback_to: "roll back to the nearest one that can be restored",
  destroy_stack: "destroy the stack",
  show_lock: "see the lock",
  unlock: "release it",
  revoke_lease: "revoke the lease by force",
  lift_veto: "lift the veto",
  list: "see the deployments",
  init: "create one",
  active: "see what is running",
  orphans: "see what it left running",
  ask_providers: "ask only the providers"
}

/** A remedy for a person: what it does, and what to type. */
export const remedyText = (remedy: Remedy): string => {
  switch (remedy._tag) {
    case "console":
      return `look at ${remedy.url}`
    case "hint":
      return remedy.text
    default:
      return `${labels[remedy._tag]}: ${commandOf(remedy)}`
  }
}
