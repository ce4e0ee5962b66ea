package policy

// Keys are the keys of each mapping by the name of its definition in the schema.
var Keys = map[string][]string{"": fileKeys, "registry": registryKeys, "artifact": artifactKeys, "identity": identityKeys, "key": keyKeys}
