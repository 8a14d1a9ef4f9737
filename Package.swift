// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A library module. An arrow never points up: see docs/architecture.md.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one module, in `Tests/<module>Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

/// One of the three executables: options to a library call, result to text.
func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name,
    dependencies: dependencies + ["ToolSupport", argumentParser, logging],
    swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "pgkeep",
  products: [
    .executable(name: "migrate", targets: ["MigrateCommand"]),
    .executable(name: "backup", targets: ["BackupCommand"]),
    .executable(name: "restore", targets: ["RestoreCommand"]),
    .library(name: "Migrations", targets: ["Migrations"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    // C: system libraries, a module map and a shim.h each; libcurl is loaded when it is needed.
    .systemLibrary(name: "CLibPQ"),
    .systemLibrary(name: "CISAL"),
    .systemLibrary(name: "CZlib"),
    .target(name: "CCurl"),
    .systemLibrary(name: "COpenSSL"),

    // Ground.
    library("ByteStream", []),
    library("Gzip", ["ByteStream", "CISAL", "CZlib"]),
    library("Crypto", ["COpenSSL"]),
    library("Age", ["ByteStream", "Crypto"]),

    // Knowledge.
    library("Postgres", ["ByteStream", "CLibPQ"]),
    library("ObjectStore", ["ByteStream", "Crypto", "CCurl"]),
    library("Schema", ["ByteStream", "Crypto", "Postgres"]),
    library("Repository", ["ByteStream", "Crypto", "ObjectStore"]),

    // Work.
    library("Migrations", ["ByteStream", "Crypto", "Postgres", "Schema"]),
    library(
      "LogicalBackup",
      ["Age", "ByteStream", "Crypto", "Gzip", "ObjectStore", "Postgres", "Repository", "Schema"]),

    library(
      "PhysicalBackup",
      ["Age", "ByteStream", "Crypto", "Gzip", "ObjectStore", "Postgres", "Repository"]),

    // Whole tasks.
    library(
      "Recovery",
      [
        "Age", "ByteStream", "Crypto", "LogicalBackup", "ObjectStore", "PhysicalBackup", "Postgres",
        "Repository",
      ]),

    // Executables.
    library(
      "ToolSupport",
      [
        "Age", "ByteStream", "LogicalBackup", "ObjectStore", "PhysicalBackup", "Postgres",
        "Recovery", "Repository",
        argumentParser, logging,
      ]),
    command(
      "MigrateCommand",
      [
        "ByteStream", "LogicalBackup", "Migrations", "ObjectStore", "Postgres", "Repository",
        "Schema",
      ]),
    command(
      "BackupCommand",
      [
        "Age", "ByteStream", "Gzip", "LogicalBackup", "ObjectStore", "PhysicalBackup", "Postgres",
        "Recovery", "Repository", "Schema",
      ]),
    command(
      "RestoreCommand",
      [
        "Age", "ByteStream", "LogicalBackup", "ObjectStore", "PhysicalBackup", "Postgres",
        "Recovery", "Repository",
      ]),

    // Tests.
    .target(
      name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "StoreSpeed", dependencies: ["ByteStream", "ObjectStore"], path: "Tests/StoreSpeed",
      swiftSettings: strict),
    .testTarget(
      name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "MigrateCommand", "BackupCommand", "RestoreCommand", "ObjectStore", "Repository",
        "TestSupport",
      ],
      swiftSettings: strict),
    tests("ByteStream", []),
    tests("Postgres", ["ByteStream"]),
    tests("ToolSupport", ["ByteStream", "ObjectStore", "Postgres", logging]),
    tests("Crypto", []),
    tests("Age", ["ByteStream", "Crypto"]),
    tests("Gzip", ["ByteStream"]),
    tests(
      "LogicalBackup",
      [
        "Age", "ByteStream", "Crypto", "Gzip", "ObjectStore", "Postgres", "Repository", "Schema",
      ]),
    tests("ObjectStore", ["ByteStream", "Crypto"]),
    tests(
      "PhysicalBackup",
      ["Age", "ByteStream", "Crypto", "Gzip", "ObjectStore", "Postgres", "Repository"]),
    tests("Migrations", ["ByteStream", "Postgres", "Schema"]),
    tests(
      "Recovery",
      ["ByteStream", "LogicalBackup", "ObjectStore", "PhysicalBackup", "Postgres", "Repository"]),
    tests("Repository", ["ByteStream", "ObjectStore"]),
    tests("Schema", ["ByteStream", "Postgres"]),
  ]
)
