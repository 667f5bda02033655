// The same as crash-signalbox, on DBOS: a restart recovers what is pending.
import { DBOS } from "../peers/node_modules/@dbos-inc/dbos-sdk/dist/src/index.js"

const [url] = process.argv.slice(2)
DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, logLevel: "error", runAdminServer: false })
const work = DBOS.registerWorkflow(
  async () => {
    for (let n = 0; n < 10; n++) {
      await DBOS.runStep(
        async () => {
          console.log(`step ${n} runs`)
          await new Promise((resolve) => setTimeout(resolve, 200))
        },
        { name: `step-${n}` }
      )
    }
  },
  { name: "work" }
)
await DBOS.launch()
const handle = await DBOS.startWorkflow(work, { workflowID: "crash" })()
await handle.getResult()
console.log("finished")
await DBOS.shutdown()
process.exit(0)
