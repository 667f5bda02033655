/**
 * The entry of the supervisor as a separate process: `node main.js <directory>`.
 */
import { runSupervisor } from "./Supervisor.ts"

const directory = process.argv[2]

if (directory === undefined) throw new Error("usage: main <directory>")
await runSupervisor(directory)
