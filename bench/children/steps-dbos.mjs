// The same as steps-signalbox, on DBOS.
import { DBOS } from "../peers/node_modules/@dbos-inc/dbos-sdk/dist/src/index.js"

const [url, ...shapes] = process.argv.slice(2)
DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, logLevel: "error", runAdminServer: false })

const work = DBOS.registerWorkflow(
  async (steps) => {
    for (let n = 0; n < steps; n++) await DBOS.runStep(async () => n, { name: `step-${n}` })
  },
  { name: "work" }
)
await DBOS.launch()
const times = []
for (const shape of shapes) {
  const [executions, steps] = shape.split("x").map(Number)
  const started = performance.now()
  const handles = await Promise.all(Array.from({ length: executions }, () => DBOS.startWorkflow(work)(steps)))
  await Promise.all(handles.map((handle) => handle.getResult()))
  times.push(performance.now() - started)
}
console.log(JSON.stringify({ times, sinceStart: performance.now() }))
await DBOS.shutdown()
process.exit(0)
