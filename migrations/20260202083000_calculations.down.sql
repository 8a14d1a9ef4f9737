DROP TABLE app.calculations;
DROP TYPE app.calculation_state;
