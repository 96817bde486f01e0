"""What the autologgers of XGBoost and LightGBM share. Registers nothing; see drupe-flavor-xgboost."""
