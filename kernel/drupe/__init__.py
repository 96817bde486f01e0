"""drupe"""
