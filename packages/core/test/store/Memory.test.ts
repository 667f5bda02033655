import { layerMemory } from "@signalbox/core/store"
import { DeploymentStoreSuite, LeaseStoreSuite } from "@signalbox/core/testing"

DeploymentStoreSuite.suite("memory", layerMemory)
LeaseStoreSuite.suite("memory", layerMemory)
