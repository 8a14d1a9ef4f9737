DROP PROCEDURE app.make_audit_log_month(date);
-- With its partitions and its sequence.
DROP TABLE app.audit_log;
