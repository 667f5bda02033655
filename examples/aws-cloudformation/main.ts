/**
 * A stack of CloudFormation, from its first deployment to its end, against an emulator of AWS:
 *
 *     node_modules/.bin/node examples/aws-cloudformation/main.ts
 *
 * Everything is done by the command that users have. Without the emulator, with credentials of your own, the same
 * configuration deploys to AWS.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { start } from "../../scripts/aws-emulators.mjs"

const here = fileURLToPath(new URL(".", import.meta.url))
const signalbox = fileURLToPath(new URL("../../packages/cli/dist/signalbox.cjs", import.meta.url))

const work = await mkdtemp(join(tmpdir(), "signalbox-example-"))
const emulator = await start()
const env = {
  ...process.env,
  AWS_ENDPOINT_URL: emulator.url,
  AWS_ACCESS_KEY_ID: "123456789012",
  AWS_SECRET_ACCESS_KEY: "none",
  SIGNALBOX_CONFIG: join(here, "signalbox.config.ts"),
  SIGNALBOX_DIRECTORY: work
}

/** Types a command, shows its output, and checks its exit code. */
const run = async (line: string, wanted = 0): Promise<void> => {
  process.stdout.write(`\n$ signalbox ${line}\n`)
  const child = spawn(process.execPath, [signalbox, ...line.split(" ")], { cwd: work, env, stdio: "inherit" })
  const [code] = await once(child, "exit")
  if (code !== wanted) throw new Error(`signalbox ${line} ended with ${code}, not ${wanted}`)
}

try {
  await run("init --id DX6604E")
  await run("deploy --version v1 --dry-run")
  await run("deploy --version v1")
  await run("deploy --version v2")
  await run("rollback DX6604E")
  // A resource that never becomes ready: CloudFormation turns the update back, and the command says why.
  await run(`deploy --version v3 --artifact orders=${join(here, "broken.yaml")}`, 3)
  await run("status")
  await run("destroy DX6604E --yes")
} finally {
  await emulator.stop()
  await rm(work, { recursive: true, force: true })
}
