public import Postgres

/// A schema as SQL, in an order that runs.
public struct SchemaScript: Sendable {
  /// What has to be there before rows are loaded.
  public var preData: [SchemaItem]
  /// What is made after the rows: by stage, and within a stage in an order that runs.
  public var postData: [SchemaItem]
  /// Objects that need each other and cannot be made in any order: the script does not run.
  public var circles: [[SQLText]]

  public init(preData: [SchemaItem], postData: [SchemaItem], circles: [[SQLText]] = []) {
    self.preData = preData
    self.postData = postData
    self.circles = circles
  }

  /// The settings that the statements are written for.
  public static let settings: SQLText = """
    SET statement_timeout = 0;
    SET lock_timeout = 0;
    SET standard_conforming_strings = on;
    SET check_function_bodies = off;
    SET xmloption = content;
    SET client_min_messages = warning;
    SET row_security = off;
    SET default_tablespace = '';
    SET default_table_access_method = heap;
    SELECT pg_catalog.set_config('search_path', '', false);

    """

  /// The whole schema without rows, readable.
  public var text: SQLText {
    var text = SQLText()
    for item in preData { text += item.text }
    for item in postData { text += item.text }
    return text
  }
}
