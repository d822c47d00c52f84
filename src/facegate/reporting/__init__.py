"""Plots, contact sheets and pages for people who look rather than read."""
