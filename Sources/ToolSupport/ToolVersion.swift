/// The version of this tool, as `--version`, logs and stored objects give it.
public enum ToolVersion {
  public static let current = "0.1.0"
}
