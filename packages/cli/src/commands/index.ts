/**
 * The tree of commands. A new command is added here, with its own file.
 */
import * as Command from "effect/cli/Command"
import { root } from "../main/Root.ts"
import { active } from "./active.ts"
import { attach, run as runner } from "./attach.ts"
import { canDeploy } from "./canDeploy.ts"
import { cleanup } from "./cleanup.ts"
import { abort, approve, pause, promote, resume, retry } from "./command.ts"
import { completions } from "./completions.ts"
import { deploy, deployStack } from "./deploy.ts"
import { destroy, destroyStack } from "./destroy.ts"
import { events } from "./events.ts"
import { health } from "./health.ts"
import { history } from "./history.ts"
import { info } from "./info.ts"
import { init } from "./init.ts"
import { list } from "./list.ts"
import { lock } from "./lock.ts"
import { logs } from "./logs.ts"
import { metrics } from "./metrics.ts"
import { monitor, watcher } from "./monitor.ts"
import { notify } from "./notify.ts"
import { register } from "./register.ts"
import { replay } from "./replay.ts"
import { report } from "./report.ts"
import { rollback } from "./rollback.ts"
import { run } from "./run.ts"
import { status } from "./status.ts"
import { supervisor } from "./supervisor.ts"
import { trace } from "./trace.ts"
import { veto } from "./veto.ts"
import { wait } from "./wait.ts"
import { watch } from "./watch.ts"

export const commands = root.pipe(
  Command.withSubcommands([
    { group: "Deployments", commands: [init, info, list, status] },
    { group: "Change", commands: [deploy, deployStack, rollback, destroy, destroyStack] },
    { group: "Coordinate", commands: [canDeploy, register, wait, cleanup, run, lock, veto] },
    { group: "Report", commands: [notify] },
    {
      group: "Look",
      commands: [history, watch, monitor, metrics, active, events, trace, replay, report, health, logs]
    },
    { group: "Operate", commands: [pause, resume, approve, promote, abort, retry, attach] },
    { group: "Others", commands: [completions((): Command.Command.Any => commands), runner, supervisor, watcher] }
  ])
)
