import { defineConfig } from "tsup"
import { pluginProgram } from "../../scripts/pluginProgram.ts"

export default defineConfig(pluginProgram)
